using System.Net.Sockets;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>Sends messages at a pace.</summary>
internal static class TrafficPace
{
    /// <summary>Until it is cancelled or the socket fails; <paramref name="onSent"/> learns of each message's bytes.</summary>
    internal static async Task SendAsync(Socket socket, int bytes, TimeSpan every, Action<int> onSent, CancellationToken token)
    {
        byte[] message = new byte[every == TimeSpan.Zero ? 16 * bytes : bytes];
        using PeriodicTimer? timer = every == TimeSpan.Zero ? null : new PeriodicTimer(every, TimeProvider.System);
        do
            onSent(await socket.SendAsync(message, token));
        while (timer is null || await timer.WaitForNextTickAsync(token));
    }
}
