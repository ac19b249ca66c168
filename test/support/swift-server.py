"""A real S3 server for tests: Debian's OpenStack Swift with its s3api, all of it in one process.

usage: swift-server.py FOLDER CERTIFICATE KEY

Keeps everything below FOLDER, listens on free ports of 127.0.0.1, and writes one line of JSON when it is ready: the ports
of the S3 server without and with TLS, and the number of each request's kind so far whenever a line comes in. Ends when its
standard input does, so that no test leaves it behind. Region us-east-1; the users are below.

What Swift does and does not do (2.30): it checks version 4 signatures, the payload's hash and Content-MD5; it answers a
conditional PUT with 501 and ignores x-amz-checksum-*.
"""
import sys

if not sys.path[0].startswith('/usr/lib'):
    sys.path.pop(0)
import eventlet

eventlet.monkey_patch()

import collections
import json
import logging
import os

import eventlet.wsgi
from swift.common import utils
from swift.common.ring import RingBuilder

folder, certificate, key = sys.argv[1:4]
etc = os.path.join(folder, 'etc')
os.makedirs(etc, exist_ok=True)

# Access key (account:user) and secret; a user without .admin may do nothing.
USERS = [('test', 'tester', 'testing', '.admin'), ('test', 'guest', 'guesting', ''), ('other', 'tester', 'testing2', '.admin')]

PROXY = """
[DEFAULT]
swift_dir = %(etc)s
log_level = CRITICAL
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = __main__:cache
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
dns_compliant_bucket_names = true
[filter:tempauth]
use = egg:swift#tempauth
%(users)s
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
[filter:symlink]
use = egg:swift#symlink
"""

BACKEND = """
[DEFAULT]
devices = %(folder)s/srv
mount_check = false
swift_dir = %(etc)s
log_level = CRITICAL
fallocate_reserve = 0
[pipeline:main]
pipeline = %(name)s-server
[app:%(name)s-server]
use = egg:swift#%(name)s
"""


def cache(global_conf, **local_conf):
    """In the place of memcached, which several processes would share: a dictionary of the only one."""

    held = {}

    class Cache(object):
        def get(self, key, *args, **kwargs):
            return held.get(key)

        def set(self, key, value, *args, **kwargs):
            held[key] = value

        def delete(self, key, *args, **kwargs):
            held.pop(key, None)

        def incr(self, key, delta=1, **kwargs):
            held[key] = int(held.get(key) or 0) + delta
            return held[key]

        def decr(self, key, delta=1, **kwargs):
            return self.incr(key, -delta)

    def add(app):
        shared = Cache()

        def call(env, start_response):
            env['swift.cache'] = shared
            return app(env, start_response)

        return call

    return add


def write(name, text):
    path = os.path.join(etc, name)
    with open(path, 'w') as file:
        file.write(text)
    return path


def listen():
    return eventlet.listen(('127.0.0.1', 0), backlog=512)


class Silent(object):
    def write(self, *args):
        pass


requests = collections.Counter()


def counted(app):
    def call(env, start_response):
        requests[env['REQUEST_METHOD']] += 1
        return app(env, start_response)

    return call


def serve(socket, app):
    eventlet.spawn(eventlet.wsgi.server, socket, app, log=Silent(), log_output=False, debug=False, max_size=512)


logging.disable(logging.CRITICAL)
write('swift.conf', '[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n'
      '[storage-policy:0]\nname = default\ndefault = yes\n')
utils.set_swift_dir(etc)
from swift.common import storage_policy

storage_policy.reload_storage_policies()
from swift.common import wsgi

os.makedirs(os.path.join(folder, 'srv', 'd1'), exist_ok=True)
sockets = {}
for name in ('account', 'container', 'object'):
    sockets[name] = listen()
    ring = RingBuilder(6, 1, 0)
    ring.add_dev({'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': sockets[name].getsockname()[1],
                  'device': 'd1', 'weight': 1.0, 'replication_ip': '127.0.0.1', 'replication_port': sockets[name].getsockname()[1]})
    ring.rebalance()
    ring.get_ring().save(os.path.join(etc, name + '.ring.gz'))
for name in sockets:
    conf = write(name + '-server.conf', BACKEND % {'folder': folder, 'etc': etc, 'name': name})
    serve(sockets[name], wsgi.loadapp(conf))

users = '\n'.join('user_%s_%s = %s %s' % user for user in USERS)
proxy = counted(wsgi.loadapp(write('proxy-server.conf', PROXY % {'etc': etc, 'users': users})))
plain, secure = listen(), listen()
ports = {'http': plain.getsockname()[1], 'https': secure.getsockname()[1]}
serve(plain, proxy)
serve(eventlet.wrap_ssl(secure, certfile=certificate, keyfile=key, server_side=True), proxy)
print(json.dumps(ports), flush=True)

# A green read of standard input would need it to be non-blocking; a pipe can be waited for.
from eventlet.greenio import GreenPipe

for line in GreenPipe(sys.stdin.fileno(), 'r'):
    print(json.dumps(requests), flush=True)
os._exit(0)
