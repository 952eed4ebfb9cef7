using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests;

/// <summary>A namespace that tracks nothing until asked to, opened as the tap opens it.</summary>
internal sealed class TapTestNamespace : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);

    internal TapTestNamespace() => Network = NetworkNamespace.OpenName(Name);

    internal string Name => _space.Name;

    internal NetworkNamespace Network { get; }

    /// <summary>Has every new flow tracked, as a ruleset with a ct expression does.</summary>
    internal void Track() => _space.Rules("table inet t { chain c { type filter hook output priority 0; ct state new accept; }; }");

    /// <summary>Makes entries, one for each line of conntrack -R (<c>-I -p udp -s …</c>).</summary>
    internal void Load(IEnumerable<string> lines)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllLines(file, lines);
            Inside("conntrack", "-R", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal void Flush() => Inside("conntrack", "-F");

    internal int Count() => _space.FlowCount;

    /// <summary>
    /// Sends one datagram to each of <paramref name="count"/> ports of 127.0.0.<paramref name="host"/>:
    /// as many new flows where tracking is on.
    /// </summary>
    internal void SendUdp(int count, byte host = 1) => Network.Run(() =>
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        IPAddress address = new([127, 0, 0, host]);
        byte[] payload = [1];
        for (int port = 1; port <= count; port++)
            socket.SendTo(payload, new IPEndPoint(address, port));
    });

    internal string Inside(string program, params string[] arguments) => _space.Exec(program, arguments);

    public void Dispose()
    {
        Network.Dispose();
        _space.Dispose();
    }
}
