"""Floor 2: the state machine, its run database and the readers it works on."""
