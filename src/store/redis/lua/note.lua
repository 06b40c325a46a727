-- A shared text.
return standing()
