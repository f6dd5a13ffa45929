# Stands for a service manager: binds a unix datagram socket (`@name`: an abstract one) and prints what comes, a line of
# JSON each. Node has no unix datagrams.
import json, socket, sys
name = sys.argv[1]
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("\0" + name[1:] if name.startswith("@") else name)
print(json.dumps("listening"), flush=True)
while True:
    print(json.dumps(ear.recv(8192).decode()), flush=True)
