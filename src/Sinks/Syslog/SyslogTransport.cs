namespace ConntrackStream.Sinks.Syslog;

/// <summary>How messages travel.</summary>
internal enum SyslogTransport
{
    /// <summary>One datagram a message, to a Unix socket such as /dev/log.</summary>
    UnixDatagram,

    /// <summary>A Unix stream socket, messages with their length before them (RFC 6587, 3.4.1).</summary>
    UnixStream,

    /// <summary>One datagram a message (RFC 5426).</summary>
    Udp,

    /// <summary>Messages with their length before them (RFC 6587, 3.4.1).</summary>
    Tcp,

    /// <summary>TCP's, in TLS (RFC 5425).</summary>
    Tls,
}
