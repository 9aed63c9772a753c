"""Sources of evidence: searched, fetched from, and recorded (seed 003)."""
