package audit

// slotMutants break what is asked of a promise that another host's turn keeps.
var slotMutants = []journalMutant{
	{"a promise passed to a turn of another time", 2, one("passed-elsewhen"), false, func(p *tape) {
		i := p.find("turn-permitted", "a")
		p.put(i, Fact{Kind: "slot-passed", Turn: "b", Instance: "b1", Tenant: "birch", To: "c", Slots: []string{"b/b1"}, Why: "w"})
		p.cut(i + 1)
	}},
	{"a promise passed from a turn that then goes by it", 4, one("not-promised"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "a"), Fact{Kind: "slot-passed", Turn: "b", Instance: "b1", Tenant: "birch", To: "a", Slots: []string{"b/b1"}, Why: "w"})
	}},
	{"a promise passed after its turn", 10, one("pass-slot"), false, func(p *tape) {
		i := p.of("turn-permitted", "c")
		p.put(i, Fact{Kind: "slot-passed", Turn: "b", Instance: "b1", Tenant: "birch", To: "c", Slots: []string{"b/b1"}, Why: "w"})
	}},
	{"a promise passed to a turn under way", 10, one("pass-slot"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "a")+1, Fact{Kind: "slot-passed", Turn: "b", Instance: "b1", Tenant: "birch", To: "a", Slots: []string{"b/b1"}, Why: "w"})
	}},
	{"a promise passed to a turn that has one", 10, one("pass-slot"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "a"), Fact{Kind: "slot-passed", Turn: "b", Instance: "a1", Tenant: "acme", To: "a", Slots: []string{"b/a1"}, Why: "w"})
	}},
	{"another promise passed than the instance's", 10, one("pass-slot"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "a"), Fact{Kind: "slot-passed", Turn: "b", Instance: "b1", Tenant: "birch", To: "a", Slots: []string{"b/a1"}, Why: "w"})
	}},
}
