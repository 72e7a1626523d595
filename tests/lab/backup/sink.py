"""FOLDER: a webhook's server and a mail server, both with TLS, on loopback; each keeps what it got
in a file of the folder. It ends by itself after some minutes."""

import http.server
import socket
import ssl
import sys
import threading

FOLDER = sys.argv[1]
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
TLS.load_cert_chain(f"{FOLDER}/cert.pem", f"{FOLDER}/key.pem")


def keep(name, text):
    with open(f"{FOLDER}/{name}", "a") as file:
        file.write(text + "\n")


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keep("hook.log", f"{self.path} {body}")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def mail():
    listening = socket.create_server(("127.0.0.1", 8465))
    while True:
        plain, _ = listening.accept()
        try:
            letter(TLS.wrap_socket(plain, server_side=True))
        except OSError:
            continue


def letter(connection):
    """SMTP as far as one letter takes it (RFC 5321)."""
    lines = connection.makefile("rw", newline="\r\n")

    def say(text):
        lines.write(text + "\r\n")
        lines.flush()

    say("220 sink")
    data = False
    for line in lines:
        line = line.rstrip("\r\n")
        keep("mail.log", line)
        if data and line == ".":
            data = False
            say("250 kept")
        elif not data and line.startswith("EHLO"):
            say("250-sink\r\n250 AUTH PLAIN")
        elif not data and line == "DATA":
            data = True
            say("354 go on")
        elif not data and line == "AUTH PLAIN":
            say("334 ")
            keep("mail.log", lines.readline().strip())
            say("235 come in")
        elif not data and line == "QUIT":
            return say("221 bye")
        elif not data:
            say("250 ok")


threading.Timer(1500, lambda: __import__("os")._exit(0)).start()
threading.Thread(target=mail, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Hook)
server.socket = TLS.wrap_socket(server.socket, server_side=True)
server.serve_forever()
