"""The search function, an HTTP application. Add no code here: every cold start would run it."""
