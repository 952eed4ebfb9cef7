using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.EventTap.Tests.Guard;

/// <summary>
/// Tests that never end, each of another kind. They run only when asked for by name, as <see cref="TestWatchTests"/> does in a child.
/// </summary>
[TestTimeLimit(1)]
public sealed class PlantedHangs
{
    [Fact(Explicit = true)]
    public void In_a_system_call()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Receive(new byte[1]);
    }

    [Fact(Explicit = true)]
    public async Task In_an_await() => await AwaitForEverAsync();

    [Fact(Explicit = true)]
    public void In_a_deadlock()
    {
        Lock first = new(), second = new();
        using Barrier both = new(2);
        Thread other = new(() => LockBoth(second, first, both));
        other.UnsafeStart();
        LockBoth(first, second, both);
    }

    [Fact(Explicit = true)]
    public void In_a_child()
    {
        using System.Diagnostics.Process child = System.Diagnostics.Process.Start("sleep", "1000");
        child.WaitForExit();
    }

    private static async Task AwaitForEverAsync() => await new TaskCompletionSource().Task;

    private static void LockBoth(Lock one, Lock another, Barrier both)
    {
        lock (one)
        {
            both.SignalAndWait();
            lock (another)
            {
            }
        }
    }
}
