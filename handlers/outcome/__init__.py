"""What became of a patient after the first dose: recorded under an answer's receipt, in a form without free text."""
