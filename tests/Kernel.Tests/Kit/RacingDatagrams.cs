using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Two datagrams of one UDP socket at the same moment, on two processors, before there is an entry. Where a rule translates them to
/// different destinations, the kernel keeps an entry for each (nf_ct_resolve_clash_harder).
/// </summary>
public sealed class RacingDatagrams(KernelNamespace space, IPAddress destination, ushort port)
{
    private int _atStart;

    /// <summary>One race each for so many new sockets.</summary>
    public void Race(int sockets)
    {
        Socket[] senders = space.Run(() => Enumerable.Range(0, sockets).Select(static _ => Bound()).ToArray());
        _atStart = 0;
        Thread other = new(() => Run(senders));
        other.UnsafeStart();
        Run(senders);
        other.Join();
        Array.ForEach(senders, static socket => socket.Dispose());
    }

    private void Run(Socket[] senders)
    {
        SocketAddress to = new IPEndPoint(destination, port).Serialize();
        for (int i = 0; i < senders.Length; i++)
        {
            Interlocked.Increment(ref _atStart);
            for (SpinWait wait = default; Volatile.Read(ref _atStart) < 2 * (i + 1);)
                wait.SpinOnce(sleep1Threshold: -1);
            senders[i].SendTo("?"u8, SocketFlags.None, to);
        }
    }

    private static Socket Bound()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return socket;
    }
}
