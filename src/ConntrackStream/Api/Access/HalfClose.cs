using System.Net.Sockets;
using ConntrackStream.Sinks.Files;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace ConntrackStream.Service.Api.Access;

/// <summary>
/// A client that ends its side of the connection after its request (<c>printf … | socat</c>) gets the whole answer. Kestrel takes the end
/// of what a client sends for the end of the client: it gives up the answer when the connection's <c>ConnectionClosed</c> is cancelled,
/// although its transport goes on sending. So requests get another token, which is cancelled when the client is gone for good.
/// </summary>
internal sealed class HalfClose(TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Kestrel's middleware for each connection, before all others.</summary>
    internal async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        CancellationToken closed = connection.ConnectionClosed;
        using CancellationTokenSource gone = new(), served = new();
        connection.ConnectionClosed = gone.Token;
        Task watch = WatchAsync(connection, closed, gone, served.Token);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            await served.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
            connection.ConnectionClosed = closed;
        }
    }

    /// <summary>Sleeps until the client has ended its side; only then it looks each second whether it still takes the answer.</summary>
    private async Task WatchAsync(
        ConnectionContext connection, CancellationToken closed, CancellationTokenSource gone, CancellationToken served)
    {
        await ClosedAsync(closed, served).ConfigureAwait(false);
        if (served.IsCancellationRequested)
            return;
        Socket? socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        using PeriodicTimer timer = new(Look, time);
        try
        {
            while (socket is not null && !SocketState.IsGone(socket.SafeHandle))
                await timer.WaitForNextTickAsync(served).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return; // the answer is whole
        }

        await gone.CancelAsync().ConfigureAwait(false);
    }

    private static async Task ClosedAsync(CancellationToken closed, CancellationToken served)
    {
        TaskCompletionSource either = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration first = closed.UnsafeRegister(Finish, either);
        using CancellationTokenRegistration second = served.UnsafeRegister(Finish, either);
        await either.Task.ConfigureAwait(false);

        static void Finish(object? task) => ((TaskCompletionSource)task!).TrySetResult();
    }
}
