using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.EventTap.Tests.Guard;

/// <summary>
/// Tests that never end, each of another kind. They are there only in the child that <see cref="TestWatchTests"/> starts.
/// </summary>
[TestTimeLimit(1)]
public sealed class PlantedHangs
{
    [PlantedHang]
    public void In_a_system_call()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Receive(new byte[1]);
    }

    [PlantedHang]
    public async Task In_an_await() => await AwaitForEverAsync();

    [PlantedHang]
    public void In_a_deadlock()
    {
        Lock first = new(), second = new();
        using Barrier both = new(2);
        Thread other = new(() => LockBoth(second, first, both));
        other.UnsafeStart();
        LockBoth(first, second, both);
    }

    [PlantedHang]
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
