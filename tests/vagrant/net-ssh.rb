# A login by the library that Vagrant uses: ADDRESS PORT KEY.
require "net/ssh"

address, port, key = ARGV
options = { port: port, keys: [key], keys_only: true, config: false, verify_host_key: :never, non_interactive: true }
begin
  Net::SSH.start(address, "vagrant", **options) { |ssh| puts ssh.exec!("id --user --name") }
rescue Net::SSH::Exception => error
  abort error.message
end
