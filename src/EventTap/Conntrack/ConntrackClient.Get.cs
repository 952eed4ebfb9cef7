using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>An entry that <see cref="ConntrackClient.GetMany"/> found; the row is only borrowed.</summary>
/// <param name="index">Of its tuple among those asked for.</param>
public delegate void FlowFound(int index, in FlowEvent row);

public sealed partial class ConntrackClient
{
    /// <summary>
    /// GETs in one send. Their answers queue up while the kernel works through the send, about 1.3 kB of receive memory each, and must fit
    /// the default buffer of 208 KiB.
    /// </summary>
    private const int GetsPerSend = 64;

    private const string Getting = "reading conntrack entries";

    private readonly FlowBatch _found = new();

    /// <summary>Appends the entry with this tuple, in its zone, to a batch that is not full.</summary>
    /// <param name="tuple">An original or a reply tuple. ICMP too needs all of it, id included.</param>
    /// <returns>False if there is none (ENOENT); another zone's does not count.</returns>
    public bool TryGet(in FlowTuple tuple, FlowBatch into)
    {
        bool found = false;
        Get(new ReadOnlySpan<FlowTuple>(in tuple), new Span<bool>(ref found), into, onFound: null, offset: 0);
        return found;
    }

    /// <summary>Appends the entry that a request names, by its tuple and zone, to a batch that is not full.</summary>
    /// <returns>False if there is none (ENOENT).</returns>
    public bool TryGet(EntryRequest key, FlowBatch into)
    {
        RequestWriter request = Begin(IPCTNL_MSG_CT_GET, flags: 0, key.Family);
        key.Put(ref request);
        request.EndMessage();
        Send(Getting, request.Written);
        NetlinkAnswers answers = AnswersFrom(_sequence);
        Next(ref answers, Getting);
        return TryTake(ref answers, key.Key, into);
    }

    /// <summary>Looks up many tuples with few system calls.</summary>
    /// <param name="found">For each tuple whether it has an entry; at least as long as <paramref name="tuples"/>.</param>
    /// <exception cref="NetlinkException">One of them failed with anything but ENOENT: none of the answers counts.</exception>
    public void GetMany(ReadOnlySpan<FlowTuple> tuples, Span<bool> found, FlowFound? onFound = null)
    {
        for (int i = 0; i < tuples.Length; i += GetsPerSend)
        {
            ReadOnlySpan<FlowTuple> some = tuples.Slice(i, Math.Min(GetsPerSend, tuples.Length - i));
            Get(some, found.Slice(i, some.Length), into: null, onFound, i);
        }
    }

    private void Get(ReadOnlySpan<FlowTuple> tuples, Span<bool> found, FlowBatch? into, FlowFound? onFound, int offset)
    {
        uint first = _sequence + 1;
        SendGets(tuples);
        NetlinkAnswers answers = AnswersFrom(first, tuples.Length);
        for (int left = tuples.Length; left > 0; left--) // without NLM_F_ACK each gets one answer: the entry, or an error
        {
            _found.Reset();
            FlowBatch batch = into ?? _found;
            Next(ref answers, Getting);
            int index = (int)answers.Index;
            found[index] = TryTake(ref answers, tuples[index], batch);
            if (found[index])
                onFound?.Invoke(offset + index, in batch.Span[^1]);
        }
    }

    /// <summary>Appends the entry that the current answer holds.</summary>
    private static bool TryTake(ref NetlinkAnswers answers, in FlowTuple tuple, FlowBatch into)
    {
        if (answers.TryReadError(out ErrorMessage error))
            return Succeeded("reading conntrack entry", tuple, error);
        if (FlowDecoder.DecodeRow(answers.Message, into, answers.ReceivedAt) != DecodeResult.Decoded)
            throw Failed("reading conntrack entry", tuple, new ErrorMessage(Errno.EBADMSG, Text: null));
        return true;
    }

    private void SendGets(ReadOnlySpan<FlowTuple> tuples)
    {
        RequestWriter request = new(_request);
        foreach (ref readonly FlowTuple tuple in tuples)
        {
            request.BeginNetfilter(MessageType(IPCTNL_MSG_CT_GET), flags: 0, ++_sequence, (byte)tuple.Family);
            FlowRequest.PutKey(ref request, tuple);
            request.EndMessage();
        }

        Send(Getting, request.Written);
    }
}
