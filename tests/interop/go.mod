module ottla-interop/jobs

go 1.25
