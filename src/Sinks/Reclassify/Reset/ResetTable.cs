using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Netlink.Nftables;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>
/// The service's own nftables table <c>inet conntrack_stream_reset</c>: sets of connections, and rules that answer the next packet of their
/// clients with a reset. Removed with this object, and with the process however it ends. For one caller at a time.
/// </summary>
/// <remarks>
/// Only the original direction is matched: what the server sends still passes, and the client's acknowledgement of it, whose numbers make
/// the reset valid, is what is answered. No SYN is matched, since a connection that reuses the ports often gets the same id; and no reset,
/// since the client's own must reach the server.
/// </remarks>
internal sealed class ResetTable : IResetCalls
{
    internal const string Name = "conntrack_stream_reset";
    private const string Unused = "conntrack_stream_reset_try"; // never made
    private const string Forward = "forward", Output = "output";
    private const byte SynOrRst = 0x06; // TCPHDR_SYN | TCPHDR_RST

    private readonly OwnedTable _table;
    private readonly NetworkNamespace _namespace;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private ConntrackClient? _client; // null until asked, and after a failure

    private ResetTable(OwnedTable table, NetworkNamespace networkNamespace)
    {
        _table = table;
        _namespace = networkNamespace;
    }

    /// <exception cref="NetlinkException">See <see cref="OwnedTable.Create"/>.</exception>
    internal static ResetTable Create(NetworkNamespace networkNamespace) =>
        new(OwnedTable.Create(Name, networkNamespace, static (ref batch) => Fill(ref batch, Name)), networkNamespace);

    /// <summary>
    /// Why the service could not make its table; null when it could, or when a process, as a rule the service itself, has it.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    internal static string? WhyNot(NetworkNamespace networkNamespace) => OwnedTable.Find(Name, networkNamespace) switch
    {
        (true, false) => $"there is a table 'inet {Name}' that no process owns",
        _ => OwnedTable.WhyNot(Unused, networkNamespace, static (ref batch) => Fill(ref batch, Unused)),
    };

    public void Change(IReadOnlyList<PendingReset> add, IReadOnlyList<PendingReset> remove, TimeSpan timeout)
    {
        Change(remove, timeout, isRemoval: true); // first: a connection may be given up and taken again at once, with the same key
        Change(add, timeout, isRemoval: false);
    }

    public void Look(IReadOnlyList<PendingReset> resets)
    {
        FlowTuple[] tuples = [.. resets.Select(static reset => reset.Flow.Original)];
        foreach (PendingReset reset in resets)
            reset.Seen = ResetState.Gone;
        try
        {
            (_client ??= _namespace.Run(static () => new ConntrackClient())).GetMany(
                tuples, new bool[tuples.Length],
                (int index, in FlowEvent row) =>
                {
                    resets[index].Seen = ResetSight.Of(resets[index].Flow, row.Flow);
                    resets[index].Timeout = row.Flow.Timeout;
                });
        }
        catch (NetlinkException)
        {
            _client?.Dispose();
            _client = null;
            throw;
        }
    }

    public void Dispose()
    {
        _table.Dispose();
        _client?.Dispose();
    }

    /// <summary>
    /// One transaction for each <see cref="NftBatch.MostElements"/>. A member may have expired, and removing what is not there fails and
    /// takes the others with it: so it is added first, which does nothing where it is there.
    /// </summary>
    private void Change(IReadOnlyList<PendingReset> resets, TimeSpan timeout, bool isRemoval)
    {
        foreach (FlowFamily family in (ReadOnlySpan<FlowFamily>)[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            foreach (PendingReset[] some in resets.Where(reset => reset.Flow.Original.Family == family).Chunk(NftBatch.MostElements))
            {
                _table.Change(_buffer, (ref batch) =>
                {
                    Put(ref batch, NFT_MSG_NEWSETELEM, some, family, timeout);
                    if (isRemoval)
                        Put(ref batch, NFT_MSG_DELSETELEM, some, family, timeout: null);
                });
            }
        }
    }

    private static void Put(
        ref NftBatch batch, byte message, PendingReset[] resets, FlowFamily family, TimeSpan? timeout) => batch.ChangeElements(
        message, Name, SetOf(family), resets.Length, ResetKey.Length(family), timeout,
        (i, key) => ResetKey.Write(resets[i].Flow.Original, resets[i].Flow.Id, key));

    private static void Fill(ref NftBatch batch, string table)
    {
        AddSet(ref batch, table, FlowFamily.IPv4, id: 1);
        AddSet(ref batch, table, FlowFamily.IPv6, id: 2);
        AddChain(ref batch, table, Forward, NftHook.EarlyForward);
        AddChain(ref batch, table, Output, NftHook.EarlyOutput);
    }

    private static void AddSet(ref NftBatch batch, string table, FlowFamily family, uint id) =>
        batch.AddTimeoutSet(table, SetOf(family), ResetKey.Type(family), ResetKey.Length(family), id);

    private static void AddChain(ref NftBatch batch, string table, string chain, NftHook hook)
    {
        batch.AddChain(table, chain, hook);
        batch.AddRule(table, chain, static (ref rule) =>
        {
            rule.FamilyIsIPv4();
            Answer(ref rule, FlowFamily.IPv4);
        });
        batch.AddRule(table, chain, static (ref rule) =>
        {
            rule.FamilyIsIPv6();
            Answer(ref rule, FlowFamily.IPv6);
        });
    }

    private static void Answer(ref RequestWriter rule, FlowFamily family)
    {
        rule.TcpWithout(SynOrRst);
        rule.DirectionIsOriginal();
        rule.Load(family);
        rule.IsMemberOf(SetOf(family), NFT_REG32_00);
        rule.RejectWithTcpReset();
    }

    private static string SetOf(FlowFamily family) => family == FlowFamily.IPv6 ? "connections6" : "connections4";
}
