# What was kept in `new` becomes the rollback, before anything changes.
guard=/var/lib/petasos/guard
sync -f "$guard/new"
mv -T "$guard/new" "$guard/armed"
systemctl -q enable petasos-revert.service
systemctl -q enable --now petasos-revert.timer
systemctl -q is-active petasos-revert.timer
