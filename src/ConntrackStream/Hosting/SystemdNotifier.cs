using System.Collections;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// The service's side of sd_notify(3): datagrams to NOTIFY_SOCKET, a path or an abstract name (<c>@…</c>). Without the variable nothing
/// is sent. A supervisor that went away is no reason to fail: what cannot be sent is dropped.
/// </summary>
internal sealed class SystemdNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _to;
    private readonly TimeProvider _time;

    internal SystemdNotifier(IDictionary environment, TimeProvider time, int processId)
    {
        _time = time;
        if (environment["NOTIFY_SOCKET"] is string { Length: > 1 } path && path[0] is '/' or '@')
        {
            _to = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        }

        WatchdogTimeout = ReadWatchdog(environment, processId);
    }

    /// <summary>WATCHDOG_USEC: silence for so long makes systemd kill the service; null when no watchdog is set for this process.</summary>
    internal TimeSpan? WatchdogTimeout { get; }

    internal void Ready(string status) => Send($"READY=1\nSTATUS={OneLine(status)}");

    internal void Stopping() => Send("STOPPING=1\nSTATUS=draining");

    /// <summary>RELOADING=1 wants the monotonic time in microseconds; <see cref="Ready"/> ends it.</summary>
    internal void Reloading() => Send(string.Create(
        CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={_time.GetTimestamp() * 1_000_000 / _time.TimestampFrequency}"));

    internal void Status(string status) => Send($"STATUS={OneLine(status)}");

    internal void Watchdog() => Send("WATCHDOG=1");

    public void Dispose() => _socket?.Dispose();

    private void Send(string state)
    {
        if (_socket is null || _to is null)
            return;
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(state), _to);
        }
        catch (SocketException e) when (
            e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable
            or SocketError.AddressNotAvailable or SocketError.AccessDenied || e.NativeErrorCode == 2)
        {
            // Nobody listens any more, or the supervisor is behind: the next message says the same.
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static TimeSpan? ReadWatchdog(IDictionary environment, int processId)
    {
        if (environment["WATCHDOG_PID"] is string pid && pid != processId.ToString(CultureInfo.InvariantCulture))
            return null;
        return long.TryParse(
            environment["WATCHDOG_USEC"] as string,
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out long microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
    }
}
