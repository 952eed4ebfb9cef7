using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>
/// The conntrack table of one network namespace, for one caller at a time. After a failure the socket is opened anew: answers of a
/// request that was given up may still come.
/// </summary>
internal sealed class KernelCalls(NetworkNamespace networkNamespace) : IDisposable
{
    private readonly FlowBatch _row = new();
    private ConntrackClient? _client; // null until asked, and after a failure

    internal NetworkNamespace Namespace { get; } = networkNamespace;

    /// <summary>The entry with this tuple; its extras are good until the next call.</summary>
    internal bool Read(in FlowTuple tuple, ref Flow flow)
    {
        _row.Reset();
        FlowTuple wanted = tuple;
        if (!Try(client => client.TryGet(wanted, _row)))
            return false;
        flow = _row.Span[0].Flow;
        return true;
    }

    internal bool Delete(in Flow flow)
    {
        Flow copy = flow;
        return Try(client => client.Delete(copy));
    }

    internal bool Remark(in FlowTuple original, uint mark, uint mask)
    {
        FlowTuple copy = original;
        return Try(client => client.UpdateMark(copy, mark, mask));
    }

    /// <summary>net.netfilter.<paramref name="name"/> of the namespace, as it is now.</summary>
    /// <exception cref="IOException">It cannot be read, or holds no such number: the kernel takes negative ones, too.</exception>
    internal uint Sysctl(string name)
    {
        string text = Namespace.Run(() => File.ReadAllText($"/proc/sys/net/netfilter/{name}")).Trim();
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint value)
            ? value
            : throw new IOException($"net.netfilter.{name} is '{text}', which is no number from 0 on; set it with sysctl");
    }

    public void Dispose() => _client?.Dispose();

    private bool Try(Func<ConntrackClient, bool> call)
    {
        try
        {
            return call(_client ??= Namespace.Run(static () => new ConntrackClient()));
        }
        catch (NetlinkException)
        {
            _client?.Dispose();
            _client = null;
            throw;
        }
    }
}
