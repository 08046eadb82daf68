package main

import (
	"fmt"
	"io"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/study"
)

func readings() []study.Reading {
	return []study.Reading{
		{Name: "10 % of the hosts affected", Scenario: study.March2015(0.1)},
		{Name: "All hosts affected", Scenario: study.March2015(1)},
	}
}

func writeMarch(page io.Writer, as []advisory.Advisory, cost *meter) (breaches int, err error) {
	readings := readings()
	for n := range readings {
		r := &readings[n]
		for _, arm := range study.Arms {
			o, err := study.Run(r.Scenario, arm, as, cost.stage(r.Name+", "+arm.Name))
			if err != nil {
				return 0, err
			}
			r.Outcomes = append(r.Outcomes, o)
			breaches += len(o.Findings)
		}
	}
	return breaches, study.Write(page, readings)
}

func marchInputs(as []advisory.Advisory) (list []input, err error) {
	for r, reading := range readings() {
		s := reading.Scenario
		for n, arm := range study.Arms {
			f, err := s.Fleet(arm)
			if err != nil {
				return nil, err
			}
			list = append(list, input{fmt.Sprintf("%d-arm%d", r+1, n+1), reading.Name + ", " + arm.Name, f, s.Target(as), s.Policy(arm), s.Now})
		}
	}
	return list, nil
}
