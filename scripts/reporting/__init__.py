"""Pictures and figures that commands draw for a person: of an index, of answers, of an evaluation."""
