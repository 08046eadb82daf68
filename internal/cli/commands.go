package cli

import "github.com/spf13/cobra"

// commands is the list of all commands, in the order of the main job, which help keeps.
var commands = []func(*App) *cobra.Command{
	newFleet,
	newImport,
	newAdvisories,
	newAssess,
	newPlan,
	newAudit,
	newNotice,
	newServe,
	newApply,
	newWatch,
	newStatus,
	newPause,
	newResume,
	newAbort,
	newFinalize,
	newHold,
	newRetry,
	newReplan,
	newReport,
	newJournal,
	newSimulate,
}
