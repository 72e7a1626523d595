//! Disposable hosts with a real systemd, and the little internet they see.
