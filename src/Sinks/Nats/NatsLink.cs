using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Fleet;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats;

/// <summary>One connection to one server, used until it fails; <see cref="Lost"/> says when.</summary>
internal sealed class NatsLink : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6); // beyond the time-out of the client itself
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(1);

    private readonly NatsConnection _connection;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost = new();
    private string? _reason; // of the server, when it closes the connection

    private NatsLink(NatsConnection connection, TimeProvider time)
    {
        (_connection, _time) = (connection, time);
        JetStream = new NatsJSContext(connection);
        connection.ConnectionDisconnected += OnDisconnectedAsync;
        connection.ServerError += OnServerErrorAsync;
    }

    internal NatsJSContext JetStream { get; }

    /// <summary>Cancelled when the connection is of no use any more.</summary>
    internal CancellationToken Lost => _lost.Token;

    /// <summary>What the server said last of what is wrong.</summary>
    internal string? Reason => Volatile.Read(ref _reason);

    /// <summary>As configured, where there is one; else the name or address that the server gives itself.</summary>
    internal string Server => _connection.Opts.Url.Contains(',', StringComparison.Ordinal) && _connection.ServerInfo is { } info
        ? info.Name == info.Id ? string.Create(CultureInfo.InvariantCulture, $"{info.Host}:{info.Port}") : info.Name
        : _connection.Opts.Url;

    internal int MaxPayload => _connection.ServerInfo?.MaxPayload ?? int.MaxValue;

    /// <exception cref="FleetFailureException">No server can be reached, or it refuses.</exception>
    internal static async Task<NatsLink> OpenAsync(
        NatsOptions options, string name, TimeProvider time, CancellationToken cancellationToken)
    {
        NatsLink? link = null;
        try
        {
            link = new NatsLink(new NatsConnection(NatsAccess.Read(options, name)), time);
            await link._connection.ConnectAsync().AsTask()
                .WaitAsync(Patience * options.Servers.Length, time, cancellationToken).ConfigureAwait(false);
            if (link._connection.ServerInfo is { JetStreamAvailable: false })
                throw new FleetFailureException(
                    $"server {link.Server} has no JetStream: start it with -js, or enable it in its configuration");
            return link;
        }
        catch (Exception e) when (IsFailure(e))
        {
            FleetFailureException failure = e as FleetFailureException ?? new FleetFailureException(
                $"{string.Join(", ", options.Servers)}: {Describe(e, link?.Reason)}", e);
            if (link is not null)
                await link.DisposeAsync().ConfigureAwait(false);
            throw failure;
        }
        catch when (link is not null)
        {
            await link.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What the client library and the framework throw when a server is away, refuses or is not trusted.</summary>
    internal static bool IsFailure(Exception error) => error is NatsException or SocketException or IOException or TimeoutException
        or AuthenticationException or CryptographicException or ConfigurationException or UnauthorizedAccessException;

    /// <summary>The innermost reason: the outer one is "can not connect uris" whatever happened, and may be all there is.</summary>
    internal static string Describe(Exception error, string? ofServer)
    {
        Exception inner = error;
        while (inner is not ConfigurationException && inner.InnerException is { } next)
            inner = next;
        string reason = inner is TimeoutException ? "no answer in time"
            : inner.Message.StartsWith("can not connect uris", StringComparison.Ordinal) ? "no connection can be made"
            : inner.Message;
        bool isAll = ofServer is null || reason.Contains(ofServer, StringComparison.OrdinalIgnoreCase);
        return isAll ? reason : $"{reason} (server: {ofServer})";
    }

    public async ValueTask DisposeAsync()
    {
        _connection.ConnectionDisconnected -= OnDisconnectedAsync;
        _connection.ServerError -= OnServerErrorAsync;
        // A server that is away may hold up the end of the connection.
        await _connection.DisposeAsync().AsTask().WaitAsync(ClosePatience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _lost.Dispose();
    }

    private async ValueTask OnDisconnectedAsync(object? sender, NatsEventArgs arguments)
    {
        try
        {
            await _lost.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It was ended meanwhile.
        }
    }

    private ValueTask OnServerErrorAsync(object? sender, NatsServerErrorEventArgs arguments)
    {
        Volatile.Write(ref _reason, arguments.Error);
        return ValueTask.CompletedTask;
    }
}
