package cli

import "github.com/spf13/cobra"

// commands is the list of all commands, in the order in which help shows them.
var commands = []func(*App) *cobra.Command{}
