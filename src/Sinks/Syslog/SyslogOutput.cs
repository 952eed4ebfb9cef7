using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>
/// Messages to a syslog server. The connection is opened when there is something to send, and again after it broke, with growing delays.
/// No call takes longer than <see cref="SyslogOptions.Timeout"/> for a connection and as long again for a write. Used by one thread at a
/// time.
/// </summary>
internal sealed class SyslogOutput(SyslogOptions options, TimeProvider time, ILogger logger) : ILogOutput
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1), LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(1); // delays begin with the first one again

    private readonly SyslogServer _server = options.ParsedServer();
    private readonly Backoff _backoff = new(FirstDelay, LongestDelay) { BeginsAtOnce = true, Jitter = 0.25 };
    private volatile SyslogConnection? _connection;
    private long _openedAt, _nextAttempt; // timestamps
    private volatile bool _renew;
    private volatile string? _problem;

    public string Name => $"syslog server {_server}";

    /// <summary>Connections opened, and attempts and connections that failed.</summary>
    internal SyslogCounters Counters { get; } = new();

    /// <summary>From any thread.</summary>
    internal bool IsConnected => _connection is { HasEnded: false };

    /// <summary>Why there is no connection, or why the last one ended; null when all is well. From any thread.</summary>
    internal string? Problem => _problem;

    public bool IsWatched => true;

    public bool IsSettled => _connection is not { HasEnded: false } connection || connection.IsSettled;

    public bool HasFailed { get; private set; }

    public int Write(ReadOnlySpan<byte> lines, out Errno error, CancellationToken cancellationToken)
    {
        error = Errno.None;
        int done = 0;
        using CancellationTokenSource patience = new(options.Timeout, time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            Renew(limit.Token);
            EndIfEnded();
            if (HasFailed || !TryConnect(limit.Token))
            {
                error = FileCalls.ENOTCONN;
                return 0;
            }

            patience.CancelAfter(options.Timeout);
            _connection!.Send(lines, ref done, limit.Token);
            if (done < lines.Length)
                error = Errno.EAGAIN;
        }
        catch (Exception e) when (IsFailure(e))
        {
            Broken(Reason(e));
            error = FileCalls.ENOTCONN;
        }

        return done;
    }

    /// <summary>Asked what became of what was sent.</summary>
    public bool Reopen()
    {
        EndIfEnded();
        bool isLost = HasFailed;
        HasFailed = false;
        return !isLost;
    }

    public void ReportLost(long records) => logger.MayBeLost(records, _server.ToString());

    /// <summary>Open a new connection, by the files of TLS as they are now, once nothing is on the way. From any thread.</summary>
    internal void RequestRenewal() => _renew = true;

    public ValueTask DisposeAsync()
    {
        using CancellationTokenSource limit = new(options.Timeout, time);
        Close(limit.Token);
        return ValueTask.CompletedTask;
    }

    private void Renew(CancellationToken limit)
    {
        if (!_renew || _connection is not { HasEnded: false, IsSettled: true })
            return;
        _renew = false;
        Close(limit);
    }

    private void EndIfEnded()
    {
        if (_connection is not { HasEnded: true } ended)
            return;
        if (!ended.EndedInOrder)
        {
            Broken("it broke");
            return;
        }

        logger.ConnectionEnded(_server.ToString(), "the server closed it");
        Close(CancellationToken.None);
        Delay();
    }

    private bool TryConnect(CancellationToken limit)
    {
        if (_connection is not null)
            return true;
        if (time.GetTimestamp() < _nextAttempt)
            return false;
        try
        {
            _connection = SyslogConnector.OpenAsync(_server, options.Tls, limit).GetAwaiter().GetResult();
        }
        catch (Exception e) when (IsFailure(e))
        {
            Counters.Failures++;
            _problem = Reason(e);
            logger.ConnectionFailed(_server.ToString(), _problem, WaitText.Of(Delay()));
            return false;
        }

        _renew = false;
        _openedAt = time.GetTimestamp();
        Counters.Connections++;
        _problem = null;
        logger.Connected(_server.ToString());
        return true;
    }

    /// <summary>What was sent and has not arrived is lost; how much of it that is, is not known.</summary>
    private void Broken(string reason)
    {
        Counters.Failures++;
        _problem = reason;
        HasFailed = true;
        logger.ConnectionEnded(_server.ToString(), reason);
        _connection?.Dispose();
        _connection = null;
        Delay();
    }

    private void Close(CancellationToken limit)
    {
        (_connection as StreamConnection)?.End(limit);
        _connection?.Dispose();
        _connection = null;
    }

    private TimeSpan Delay()
    {
        if (_openedAt != 0 && time.GetElapsedTime(_openedAt) >= HealthyAfter)
            _backoff.Reset();
        _openedAt = 0;
        TimeSpan delay = _backoff.Next();
        _nextAttempt = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        return delay;
    }

    private static bool IsFailure(Exception e) =>
        e is SocketException or IOException or AuthenticationException or CryptographicException or OperationCanceledException
            or UnauthorizedAccessException;

    private static string Reason(Exception e) => e switch
    {
        OperationCanceledException => "it took too long (Syslog:Timeout)",
        UnusableFileException => e.Message,
        { InnerException: { } inner } => $"{e.Message.TrimEnd('.')}: {inner.Message}",
        _ => e.Message,
    };
}
