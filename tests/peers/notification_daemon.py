#!/usr/bin/python3
"""A notification daemon that writes down what it is asked, exactly: one JSON line a call, to stdout.

Used by tests/alert_*_test.cc on a bus of their own. Words on stdin: `invoke ID KEY` and `close ID REASON` send those signals,
`slow MS` delays every answer from then on, `refuse N` answers the next N calls of Notify with an error, `quit` leaves.
Usage: notification_daemon.py CAPABILITY,…   (Debian: python3-dbus, python3-gi)
"""
import json
import sys
import time

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.freedesktop.Notifications"


def plain(value):
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, (dbus.Byte, dbus.Int32, dbus.UInt32)):
        return int(value)
    return str(value)


class Daemon(dbus.service.Object):
    def __init__(self, bus, capabilities):
        super().__init__(bus, "/org/freedesktop/Notifications")
        self.capabilities, self.last_id, self.slow_s, self.refusals = capabilities, 0, 0.0, 0

    def wrote(self, call, **what):
        print(json.dumps({"call": call, "monotonic_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC), **what}), flush=True)
        time.sleep(self.slow_s)

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        if self.refusals:
            self.refusals -= 1
            self.wrote("refused", summary=str(summary))
            raise dbus.DBusException("too many", name=NAME + ".Error.ExcessNotificationGeneration")
        if not replaces:
            self.last_id += 1
        shown = int(replaces) or self.last_id
        self.wrote("notify", app=str(app), id=shown, replaces=int(replaces), icon=str(icon), summary=str(summary), body=str(body),
                   actions=[str(one) for one in actions], hints={str(key): plain(value) for key, value in hints.items()},
                   types={str(key): type(value).__name__ for key, value in hints.items()}, timeout=int(timeout))
        return dbus.UInt32(shown)

    @dbus.service.method(NAME, out_signature="as")
    def GetCapabilities(self):
        self.wrote("capabilities")
        return self.capabilities

    @dbus.service.method(NAME, out_signature="ssss")
    def GetServerInformation(self):
        return ("notification_daemon.py", "honeylink", "1", "1.2")

    @dbus.service.method(NAME, in_signature="u")
    def CloseNotification(self, shown):
        self.wrote("close", id=int(shown))

    @dbus.service.signal(NAME, signature="us")
    def ActionInvoked(self, shown, key):
        pass

    @dbus.service.signal(NAME, signature="uu")
    def NotificationClosed(self, shown, reason):
        pass

    def command(self, source, _condition):
        words = source.readline().split()
        if not words or words[0] == "quit":
            sys.exit(0)
        if words[0] == "invoke":
            self.ActionInvoked(dbus.UInt32(int(words[1])), words[2])
        elif words[0] == "close":
            self.NotificationClosed(dbus.UInt32(int(words[1])), dbus.UInt32(int(words[2])))
        elif words[0] == "slow":
            self.slow_s = int(words[1]) / 1000
        elif words[0] == "refuse":
            self.refusals = int(words[1])
        self.wrote("did", words=words)
        return True


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    daemon = Daemon(bus, dbus.Array([one for one in sys.argv[1].split(",") if one], signature="s"))
    name = dbus.service.BusName(NAME, bus, do_not_queue=True)
    print(json.dumps({"call": "ready", "name": name.get_name()}), flush=True)
    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, daemon.command)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
