package plan

// Home says what becomes of instances that a turn moved off its host, once the turn is over.
type Home string

// The rules.
const (
	HomeReturn Home = "return" // they go back
	HomeStay   Home = "stay"   // they stay where they landed
	HomeSettle Home = "settle" // they stay, but for those without whom their pool would be worse off than it was found
)

// HomeRule is what a policy says of it, by either of its two fields.
func (p *Policy) HomeRule() Home {
	switch {
	case p.Home != "":
		return p.Home
	case p.BringHome:
		return HomeReturn
	}
	return HomeStay
}

// home: bring_home says no more than whether all go back, so that it must be true for return alone.
func (c *checker) home(p *Policy, stated bool) {
	if p.Home == "" {
		return
	}
	returns := p.Home == HomeReturn
	switch {
	case !stated || p.BringHome == returns:
	case returns:
		c.wrong("bring_home", "false beside home: return", "one of the two alone: home: return, or home: stay")
	default:
		c.wrong("bring_home", "true beside home: "+string(p.Home), "home alone: bring_home: true is home: return")
	}
	p.BringHome = returns
}
