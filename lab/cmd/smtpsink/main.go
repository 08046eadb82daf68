// Command smtpsink runs the lab's mail server: smtpsink -dir DIR [-addr 127.0.0.1:2525]. It prints its
// address once it listens, and runs until SIGTERM. See package smtpsink.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/evenkeel/evenkeel/lab/smtpsink"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:2525", "listen here; port 0 takes a free one")
	dir := flag.String("dir", "mails", "store mails here")
	reject := flag.String("reject", "", "550 for recipients that match this pattern")
	tempfail := flag.Int("tempfail", 0, "451 for the first N recipients")
	delay := flag.Duration("delay", 0, "wait so long between storing a mail and saying so")
	flag.Parse()
	opt := smtpsink.Options{Tempfail: *tempfail, Delay: *delay}
	if *reject != "" {
		re, err := regexp.Compile(*reject)
		if err != nil {
			fail(fmt.Errorf("-reject: %w", err))
		}
		opt.Reject = re
	}
	s, err := smtpsink.Start(*addr, *dir, opt)
	if err != nil {
		fail(err)
	}
	fmt.Println(s.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	if err := s.Close(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "smtpsink:", err)
	os.Exit(1)
}
