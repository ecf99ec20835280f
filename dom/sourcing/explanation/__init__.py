"""Why a plan looks as it does: in sentences, in what is kept with it, and in full when somebody asks."""
