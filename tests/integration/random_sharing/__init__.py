"""People who share folders at random, and who in the end have to agree."""
