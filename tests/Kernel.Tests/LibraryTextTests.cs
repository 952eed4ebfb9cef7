using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Text;
using ConntrackStream.Tests;
using static ConntrackStream.Kernel.Tests.Kit.Ctnetlink;

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// The library that conntrack-tools print with, given the same messages: seeded random flows with what no tool here can make an entry of
/// (offloaded flows, every state of every protocol, helpers, security contexts, all of them at once).
/// </summary>
public sealed unsafe partial class LibraryTextTests
{
    private const string Library = "libnetfilter_conntrack.so.3";
    private const uint NFCT_O_DEFAULT = 0, NFCT_O_XML = 1;
    private const uint NFCT_OF_SHOW_LAYER3 = 1, NFCT_OF_ID = 4, NFCT_OF_TIMESTAMP = 8;

    private readonly byte[] _message = new byte[4096];
    private readonly byte[] _text = new byte[4096];

    [Fact]
    public void Random_messages_are_printed_as_the_library_prints_them()
    {
        Assert.SkipUnless(NativeLibrary.TryLoad(Library, typeof(LibraryTextTests).Assembly, searchPath: null, out _), $"needs {Library}");
        string labelFile = Path.GetTempFileName();
        File.WriteAllText(labelFile, "0 zero\n1 one\n60 sixty\n");
        nint labelMap = nfct_labelmap_new(labelFile);
        ConntrackTextOptions all = new() { Labels = ConntrackLabels.Load(labelFile) };
        File.Delete(labelFile);
        RandomFlows flows = new(10);
        for (int i = 0; i < 20_000; i++)
        {
            FlowEvent made = flows.Next();
            if (made.Flow.Has(FlowFields.StartTime) && made.Flow.StopTime == 0)
                continue; // the library takes the clock then
            ConntrackTextOptions options = all with { Extended = i % 2 == 0, Id = i % 3 == 0, KernelTimestamps = i % 5 == 0 };
            int length = Encode(in made);
            FlowBatch batch = new();
            DecodeResult result = made.Type == FlowEventType.Row
                ? FlowDecoder.DecodeRow(_message.AsSpan(0, length), batch, made.Time)
                : FlowDecoder.Decode(_message.AsSpan(0, length), batch, made.Time);
            Assert.Equal(DecodeResult.Decoded, result);
            int written = ConntrackText.Write(_text, in batch.Span[0], options);
            Assert.Equal(PrintByLibrary(made.Type, options, labelMap), Encoding.UTF8.GetString(_text, 0, written));
            written = ConntrackXml.Write(_text, in batch.Span[0], options);
            Assert.Equal(PrintByLibrary(made.Type, options, labelMap, NFCT_O_XML), Encoding.UTF8.GetString(_text, 0, written));
        }
    }

    private string PrintByLibrary(FlowEventType type, ConntrackTextOptions options, nint labelMap, uint form = NFCT_O_DEFAULT)
    {
        // NFCT_T_NEW, …
        uint messageType = type switch { FlowEventType.New => 1, FlowEventType.Update => 2, FlowEventType.Destroy => 4, _ => 0 };
        uint flags = (options.Extended ? NFCT_OF_SHOW_LAYER3 : 0) | (options.KernelTimestamps ? NFCT_OF_TIMESTAMP : 0)
            | (options.Id ? NFCT_OF_ID : 0);
        nint conntrack = nfct_new();
        byte* text = stackalloc byte[4096];
        fixed (byte* message = _message)
            Assert.Equal(0, nfct_nlmsg_parse(message, conntrack));
        int length = nfct_snprintf_labels(text, 4096, conntrack, messageType, form, flags, labelMap);
        nfct_destroy(conntrack);
        return Encoding.UTF8.GetString(text, length);
    }

    /// <summary>As the kernel's ctnetlink_fill_info and ctnetlink_conntrack_event do; returns the message's length.</summary>
    private int Encode(in FlowEvent e)
    {
        ref readonly Flow flow = ref e.Flow;
        RequestWriter writer = new(_message);
        byte message = e.Type == FlowEventType.Destroy ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW;
        int flags = e.Type == FlowEventType.New ? Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL : 0;
        writer.BeginNetfilter(Nfnl.MessageType(Nfnl.NFNL_SUBSYS_CTNETLINK, message), flags, 0, (byte)flow.Original.Family);
        bool oneZone = flow.Original.Zone == flow.Reply.Zone;
        FlowRequest.PutTuple(ref writer, CTA_TUPLE_ORIG, in flow.Original, oneZone || flow.Original.Zone == 0 ? null : flow.Original.Zone);
        FlowRequest.PutTuple(ref writer, CTA_TUPLE_REPLY, in flow.Reply, oneZone || flow.Reply.Zone == 0 ? null : flow.Reply.Zone);
        if (oneZone && flow.Original.Zone != 0)
            writer.PutU16(CTA_ZONE, flow.Original.Zone);
        writer.PutU32(CTA_STATUS, (uint)flow.Status);
        PutNumber(ref writer, CTA_TIMEOUT, flow.Timeout, flow.Has(FlowFields.Timeout));
        PutNumber(ref writer, CTA_MARK, flow.Mark, flow.Has(FlowFields.Mark));
        PutNumber(ref writer, CTA_USE, flow.Use, flow.Has(FlowFields.Use));
        PutNumber(ref writer, CTA_ID, flow.Id, flow.Has(FlowFields.Id));
        if (flow.Has(FlowFields.OriginalCounters))
            PutPair(ref writer, CTA_COUNTERS_ORIG, CTA_COUNTERS_PACKETS, flow.OriginalPackets, flow.OriginalBytes);
        if (flow.Has(FlowFields.ReplyCounters))
            PutPair(ref writer, CTA_COUNTERS_REPLY, CTA_COUNTERS_PACKETS, flow.ReplyPackets, flow.ReplyBytes);
        if (flow.Has(FlowFields.StartTime))
            PutPair(ref writer, CTA_TIMESTAMP, CTA_TIMESTAMP_START, (ulong)flow.StartTime, (ulong)flow.StopTime);
        if (flow.Has(FlowFields.ProtocolState))
            PutState(ref writer, in flow);
        if (flow.Extras is { } extras)
            PutExtras(ref writer, extras);
        writer.EndMessage();
        BinaryPrimitives.WriteUInt32LittleEndian(_message.AsSpan(12), 0); // nlmsg_pid: the program adds [USERSPACE], not the library
        return writer.Written.Length;
    }

    private static void PutNumber(ref RequestWriter writer, ushort type, uint value, bool present)
    {
        if (present)
            writer.PutU32(type, value);
    }

    private static void PutPair(ref RequestWriter writer, ushort nestType, ushort firstType, ulong first, ulong second)
    {
        int nest = writer.BeginNest(nestType);
        BinaryPrimitives.WriteUInt64BigEndian(writer.Put(firstType, 8), first);
        BinaryPrimitives.WriteUInt64BigEndian(writer.Put((ushort)(firstType + 1), 8), second);
        writer.EndNest(nest);
    }

    private static void PutState(ref RequestWriter writer, in Flow flow)
    {
        int outer = writer.BeginNest(CTA_PROTOINFO);
        int inner = writer.BeginNest(flow.Original.Protocol switch
        {
            IpProtocol.Tcp => CTA_PROTOINFO_TCP,
            IpProtocol.Sctp => CTA_PROTOINFO_SCTP,
            _ => CTA_PROTOINFO_DCCP,
        });
        writer.PutU8(CTA_PROTOINFO_TCP_STATE, flow.ProtocolState); // 1, as the other two's
        writer.EndNest(inner);
        writer.EndNest(outer);
    }

    private static void PutExtras(ref RequestWriter writer, FlowExtras extras)
    {
        PutName(ref writer, CTA_HELP, extras.Helper);
        PutName(ref writer, CTA_SECCTX, extras.SecurityContext);
        if (extras.HasLabels)
            BinaryPrimitives.WriteUInt128LittleEndian(writer.Put(CTA_LABELS, 16), extras.Labels);
    }

    private static void PutName(ref RequestWriter writer, ushort type, string? name)
    {
        if (name is null)
            return;
        int nest = writer.BeginNest(type);
        writer.PutString(1, name); // CTA_HELP_NAME, CTA_SECCTX_NAME
        writer.EndNest(nest);
    }

    [LibraryImport(Library)]
    private static partial nint nfct_new();

    [LibraryImport(Library)]
    private static partial void nfct_destroy(nint conntrack);

    [LibraryImport(Library)]
    private static partial int nfct_nlmsg_parse(byte* message, nint conntrack);

    [LibraryImport(Library)]
    private static partial int nfct_snprintf_labels(
        byte* buffer, uint length, nint conntrack, uint messageType, uint outType, uint flags, nint labelMap);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint nfct_labelmap_new(string path);
}
