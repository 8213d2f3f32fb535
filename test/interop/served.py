"""Bytes that a server has, over one connection that stays open: a new one for each of thousands takes most of the time."""

import http.client
import urllib.parse

connections = {}


def fetch(url):
    """The bytes at `url`; None where there are none."""
    host, path = urllib.parse.urlsplit(url)[1:3]
    if host not in connections:
        connections[host] = http.client.HTTPConnection(host)
    connection = connections[host]
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise OSError(f"{url}: status {answer.status}: {body[:200]}")
    return body
