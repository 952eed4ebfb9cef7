using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public sealed partial class ConntrackClient
{
    /// <summary>
    /// Makes an entry: both tuples and a timeout (seconds) are mandatory, of the rest what <see cref="Flow.Present"/> names.
    /// </summary>
    /// <remarks>
    /// Taken: tuples, zone (also of one direction), timeout, mark, TCP, SCTP and DCCP state, master, labels (if a rule of the namespace
    /// uses labels), helper, and of the status SEEN_REPLY, ASSURED, FIXED_TIMEOUT and NAT. The kernel gives id, counters and start time.
    /// </remarks>
    /// <exception cref="ArgumentException">A tuple or the timeout is missing, or each direction has a zone of its own.</exception>
    /// <exception cref="NetlinkException">EEXIST: either tuple is taken. ENOENT: no such master. EOPNOTSUPP: no such helper.</exception>
    public void Create(in Flow flow)
    {
        if (!flow.Has(FlowFields.BothTuples | FlowFields.Timeout))
            throw new ArgumentException("A new entry needs both tuples and a timeout.", nameof(flow));
        if (flow.Original.Zone != flow.Reply.Zone && flow.Original.Zone != 0 && flow.Reply.Zone != 0)
            throw new ArgumentException("An entry has one zone, for both directions or for one of them.", nameof(flow));
        RequestWriter request = Begin(IPCTNL_MSG_CT_NEW, NLM_F_ACK | Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL, flow.Original.Family);
        CreateRequest.Put(ref request, flow);
        request.EndMessage();
        ErrorMessage error = Acknowledge("creating a conntrack entry", request.Written);
        if (error.Errno != Errno.None)
            throw Failed("creating conntrack entry", flow.Original, error);
    }

    /// <summary>Deletes exactly this entry: its original tuple, in its zone, with its id.</summary>
    /// <returns>False if there is no such entry (any more), or one with another id.</returns>
    /// <exception cref="ArgumentException">The flow has no id. Without it a successor with the same tuple could be hit.</exception>
    public bool Delete(in Flow flow)
    {
        if (!flow.Has(FlowFields.Original | FlowFields.Id))
            throw new ArgumentException("Deleting needs the original tuple and the id.", nameof(flow));
        RequestWriter request = Begin(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, flow.Original.Family);
        FlowRequest.PutKey(ref request, flow.Original);
        request.PutU32(CTA_ID, flow.Id);
        request.EndMessage();
        return Succeeded("deleting conntrack entry", flow.Original, Acknowledge("deleting a conntrack entry", request.Written));
    }

    /// <summary>Sets the bits of <paramref name="mask"/> to those of <paramref name="mark"/>; the others stay.</summary>
    /// <param name="original">Either tuple of the entry; its zone counts.</param>
    /// <returns>False if there is no such entry.</returns>
    public bool UpdateMark(in FlowTuple original, uint mark, uint mask = uint.MaxValue)
    {
        RequestWriter request = Begin(IPCTNL_MSG_CT_NEW, NLM_F_ACK | Nlmsg.NLM_F_REPLACE, original.Family);
        FlowRequest.PutKey(ref request, original);
        request.PutU32(CTA_MARK, mark & mask); // the kernel: (old & ~mask) ^ mark
        request.PutU32(CTA_MARK_MASK, mask);
        request.EndMessage();
        return Succeeded("marking conntrack entry", original, Acknowledge("marking a conntrack entry", request.Written));
    }

    /// <summary>Makes an entry of what is given, and nothing else.</summary>
    /// <param name="exclusive">False: an entry that is there is changed, as by <see cref="Update"/>.</param>
    /// <exception cref="NetlinkException">EEXIST: either tuple is taken. EINVAL: a tuple, its protocol's state or the timeout is
    /// missing. ENOENT: no such master. EOPNOTSUPP: no such helper.</exception>
    public void Insert(EntryRequest entry, bool exclusive = true)
    {
        int flags = NLM_F_ACK | Nlmsg.NLM_F_CREATE | (exclusive ? Nlmsg.NLM_F_EXCL : 0);
        ErrorMessage error = Send(entry, "creating a conntrack entry", IPCTNL_MSG_CT_NEW, flags);
        if (error.Errno != Errno.None)
            throw Failed("creating conntrack entry", entry.Key, error);
    }

    /// <summary>
    /// Changes what is given of the entry with this original or reply tuple, in its zone; all else stays. The kernel looks at no id: look
    /// the entry up just before.
    /// </summary>
    /// <returns>False if there is no such entry.</returns>
    /// <exception cref="NetlinkException">EBUSY: a status bit that cannot be changed, or not be taken back. ENOSPC: an entry made while
    /// no rule used labels has no room for any.</exception>
    public bool Update(EntryRequest entry) => Succeeded(
        "updating conntrack entry",
        entry.Key,
        Send(entry, "updating a conntrack entry", IPCTNL_MSG_CT_NEW, NLM_F_ACK | Nlmsg.NLM_F_REPLACE));

    /// <summary>Deletes every entry of the namespace, or those of one family.</summary>
    public void Flush(FlowFamily family = FlowFamily.Unspecified)
    {
        const string Flushing = "flushing the conntrack table";
        RequestWriter request = new(_request);
        request.BeginNetfilter( // version 0 would flush both families
            MessageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, ++_sequence, (byte)family, Nfnl.NFNETLINK_V1);
        request.EndMessage();
        ThrowIfFailed(Acknowledge(Flushing, request.Written), Flushing);
    }

    private RequestWriter Begin(byte message, int flags, FlowFamily family)
    {
        RequestWriter request = new(_request);
        request.BeginNetfilter(MessageType(message), flags, ++_sequence, (byte)family);
        return request;
    }

    /// <summary>Sends a request about one entry, which asks for acknowledgement, and waits for it.</summary>
    private ErrorMessage Send(EntryRequest entry, string operation, byte message, int flags)
    {
        RequestWriter request = Begin(message, flags, entry.Family);
        entry.Put(ref request);
        request.EndMessage();
        return Acknowledge(operation, request.Written);
    }

    private static bool Succeeded(string operation, in FlowTuple tuple, in ErrorMessage error) => error.Errno switch
    {
        Errno.None => true,
        Errno.ENOENT => false,
        _ => throw Failed(operation, tuple, error),
    };

    private static NetlinkException Failed(string operation, in FlowTuple tuple, in ErrorMessage error) =>
        new($"{operation} {TupleText.Describe(tuple)}", error.Errno, error.Text);
}
