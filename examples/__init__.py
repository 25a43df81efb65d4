"""Small trainings that run on a CPU in seconds: how code of this project calls its losses."""
