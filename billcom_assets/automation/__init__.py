"""What launches runs: jobs, schedules, sensors."""
