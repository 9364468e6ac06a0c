"""The whole call in a real Chromium, by keyboard alone (issue A, «it must show» 2)."""
