"""Scripts that run in processes of their own: `python child.py JSON`; the answer is the last line that is printed."""
