// Package simulated is a world of hypervisors that exists only in memory, and
// a driver to it that is as careful as a real one.
//
// There are two halves with one narrow door between them. The World is what is
// really so: hosts, instances, memory, links, and its own Log, which the
// product cannot write. It is reached through Call and Answer, primitive
// requests such as 'look up', 'begin a migration', 'reboot', which Faults may
// lose, delay, double or answer with a lie. The Driver is on the other side of
// the door: it looks, acts, proves and reads both ends with those calls alone,
// and never sees what is really so.
//
// The world has no goroutine and no clock of its own: it is brought up to the
// Clock's moment on each call, and what fell due meanwhile happens then, each
// thing at its own moment. So it lives in real time, in hurried time and in
// the virtual time of sim.Scheduler alike, and the same seed gives the same run.
//
// It never judges the product; it only keeps the record. Start reading at
// World, then Driver; Serve and Dial put a process border between them.
//
// Units: memory in MiB, link rates in MiB/s unless a field says Mbps.
package simulated
