"""Training, converting and measuring the model. Nothing that is deployed imports this package."""
