package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	drawn "github.com/evenkeel/evenkeel/internal/picture"
	"github.com/evenkeel/evenkeel/internal/study"
)

func writeSeptember(page io.Writer, as []advisory.Advisory, cost *meter) (breaches int, err error) {
	all := []study.Replanned{{September: study.Zonal2014()}, {September: study.WholeFleet2014()}}
	for n := range all {
		r := &all[n]
		for _, arm := range study.SeptemberArms {
			o, err := r.September.Plan(arm, as, cost.stage(r.Name+", "+arm.Name))
			if err != nil {
				return 0, err
			}
			if *picture != "" && n == 0 && arm.Rationed {
				if err := draw(o, *picture); err != nil {
					return 0, err
				}
			}
			o.Plan.Fleet, o.Plan.Slots, o.Plan.Moves = nil, nil, nil // all is counted, and the next arm needs the room
			r.Arms = append(r.Arms, o)
			breaches += len(o.Findings)
		}
	}
	if err := study.WriteSeptember(page, all); err != nil || *picture == "" {
		return breaches, err
	}
	_, err = fmt.Fprintf(page, "## The last plan of the zones\n\n![windows, slots and waves of each zone](%s)\n\n", filepath.Base(*picture))
	return breaches, err
}

func draw(o *study.Rebooting, to string) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	return drawn.Plan(f, o.Plan, func(string) *time.Location { return nil })
}

func septemberInputs(as []advisory.Advisory) (list []input, err error) {
	for c, s := range []study.September{study.Zonal2014(), study.WholeFleet2014()} {
		for n, arm := range study.SeptemberArms {
			f, err := s.Fleet(arm)
			if err != nil {
				return nil, err
			}
			list = append(list, input{fmt.Sprintf("%d-arm%d", c+1, n+1), s.Name + ", " + arm.Name, f, s.Target(arm, as), s.Policy(arm), s.Now})
		}
	}
	return list, nil
}
