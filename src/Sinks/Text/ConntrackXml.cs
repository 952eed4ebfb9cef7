using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// The elements of <c>conntrack -o xml</c> 1.4.7 with libnetfilter_conntrack 1.0.9: a <c>flow</c> for each event or row. What the kernel's
/// message did not carry is left out.
/// </summary>
public static partial class ConntrackXml
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>What stands before the first flow.</summary>
    public static ReadOnlySpan<byte> Head => "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n"u8;

    /// <summary>What stands behind the last flow.</summary>
    public static ReadOnlySpan<byte> Foot => "</conntrack>\n"u8;

    /// <summary>Writes one flow, without a line feed.</summary>
    /// <returns>Bytes written; 0 if <paramref name="destination"/> is too small.</returns>
    public static int Write(Span<byte> destination, in FlowEvent e, ConntrackTextOptions options)
    {
        ref readonly Flow flow = ref e.Flow;
        Utf8Writer writer = new(destination);
        writer.Literal(FlowTag(e.Type));
        bool oneZone = flow.Original.Zone == flow.Reply.Zone || !flow.Has(FlowFields.Reply);
        Direction(ref writer, "original"u8, in flow, in flow.Original, oneZone, flow.OriginalPackets, flow.OriginalBytes);
        Direction(ref writer, "reply"u8, in flow, in flow.Reply, oneZone, flow.ReplyPackets, flow.ReplyBytes);
        Independent(ref writer, in e, oneZone, options);
        if (options.Timestamp)
            When(ref writer, e.Time, options.TimeZone);
        if (flow.Extras?.Helper is { } helper)
            Text(ref writer, "helper"u8, helper);
        writer.Literal("</flow>"u8);
        if (e.Type != FlowEventType.Row && e.PortId != 0)
            ConntrackText.Cause(ref writer, e.PortId, options); // behind the element: so the tool
        return writer.Position;
    }

    /// <summary>The opening tag of a flow or an expectation.</summary>
    internal static ReadOnlySpan<byte> FlowTag(FlowEventType type) => type switch
    {
        FlowEventType.New => "<flow type=\"new\">"u8,
        FlowEventType.Update => "<flow type=\"update\">"u8,
        FlowEventType.Destroy => "<flow type=\"destroy\">"u8,
        _ => "<flow>"u8,
    };

    internal static void Number(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, ulong value)
    {
        Open(ref writer, name);
        writer.Number(value);
        Close(ref writer, name);
    }

    internal static void Text(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, string value)
    {
        Open(ref writer, name);
        writer.Text(PrintableText.Escape(value));
        Close(ref writer, name);
    }

    internal static void Open(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name)
    {
        writer.Byte((byte)'<');
        writer.Literal(name);
        writer.Byte((byte)'>');
    }

    internal static void Close(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name)
    {
        writer.Literal("</"u8);
        writer.Literal(name);
        writer.Byte((byte)'>');
    }

    /// <summary>The local time of <c>-o timestamp</c>.</summary>
    internal static void When(ref Utf8Writer writer, long time, TimeZoneInfo zone)
    {
        DateTime local = TimeZoneInfo.ConvertTimeFromUtc(DateTime.UnixEpoch.AddTicks(time / TimeSpan.NanosecondsPerTick), zone);
        Open(ref writer, "when"u8);
        Number(ref writer, "hour"u8, (ulong)local.Hour);
        Padded(ref writer, "min"u8, local.Minute);
        Padded(ref writer, "sec"u8, local.Second);
        Number(ref writer, "wday"u8, (ulong)local.DayOfWeek + 1);
        Number(ref writer, "day"u8, (ulong)local.Day);
        Number(ref writer, "month"u8, (ulong)local.Month);
        Number(ref writer, "year"u8, (ulong)local.Year);
        Close(ref writer, "when"u8);
    }

    private static void Padded(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, int value)
    {
        Open(ref writer, name);
        writer.Padded((uint)value, 2);
        Close(ref writer, name);
    }

    private static void Independent(ref Utf8Writer writer, in FlowEvent e, bool oneZone, ConntrackTextOptions options)
    {
        ref readonly Flow flow = ref e.Flow;
        const FlowFields Shown = FlowFields.ProtocolState | FlowFields.Timeout | FlowFields.Mark | FlowFields.Use | FlowFields.Status
            | FlowFields.Id | FlowFields.StartTime | FlowFields.StopTime;
        bool hasZone = oneZone && flow.Original.Zone != 0;
        if ((flow.Present & Shown) == FlowFields.None && !hasZone)
            return;
        writer.Literal("<meta direction=\"independent\">"u8);
        if (flow.Has(FlowFields.ProtocolState))
        {
            Open(ref writer, "state"u8);
            writer.Literal(ConntrackNames.State(IpProtocol.Tcp, flow.ProtocolState)); // whatever the protocol: so the library
            Close(ref writer, "state"u8);
        }

        if (flow.Has(FlowFields.Timeout))
            Number(ref writer, "timeout"u8, flow.Timeout);
        if (flow.Has(FlowFields.Mark))
            Number(ref writer, "mark"u8, flow.Mark);
        if (options.Labels is { } names && flow.Extras is { HasLabels: true } labelled)
            Labels(ref writer, labelled.Labels, names);
        if (flow.Extras?.SecurityContext is { } context)
            Text(ref writer, "secctx"u8, context);
        if (hasZone)
            Number(ref writer, "zone"u8, flow.Original.Zone);
        if (flow.Has(FlowFields.Use))
            Number(ref writer, "use"u8, flow.Use);
        if (flow.Has(FlowFields.Id))
            Number(ref writer, "id"u8, flow.Id);
        Status(ref writer, in flow);
        Times(ref writer, in e, options);
        writer.Literal("</meta>"u8);
    }

    private static void Status(ref Utf8Writer writer, in Flow flow)
    {
        if (!flow.Has(FlowFields.Status))
            return;
        if ((flow.Status & FlowStatus.Assured) != FlowStatus.None)
            writer.Literal("<assured/>"u8);
        if ((flow.Status & FlowStatus.SeenReply) == FlowStatus.None)
            writer.Literal("<unreplied/>"u8);
    }

    private static void Labels(ref Utf8Writer writer, UInt128 labels, ConntrackLabels names)
    {
        writer.Literal("<labels>"u8);
        for (int bit = 0; labels != 0; bit++, labels >>= 1)
        {
            if ((labels & 1) != 0 && names.NameOf(bit) is { } name)
                Text(ref writer, "label"u8, name);
        }

        writer.Literal("</labels>"u8);
    }

    private static void Times(ref Utf8Writer writer, in FlowEvent e, ConntrackTextOptions options)
    {
        ref readonly Flow flow = ref e.Flow;
        bool hasStop = flow.Has(FlowFields.StopTime);
        if (!flow.Has(FlowFields.StartTime) && !hasStop)
            return;
        if (options.KernelTimestamps)
        {
            writer.Literal("<timestamp>"u8);
            if (flow.Has(FlowFields.StartTime))
                Number(ref writer, "start"u8, (ulong)flow.StartTime);
            if (hasStop)
                Number(ref writer, "stop"u8, (ulong)flow.StopTime);
            writer.Literal("</timestamp>"u8);
        }

        if (!flow.Has(FlowFields.StartTime))
            return;
        ulong age = hasStop
            ? (ulong)(flow.StopTime - flow.StartTime) / NanosecondsPerSecond
            : (ulong)((e.Time / NanosecondsPerSecond) - (flow.StartTime / NanosecondsPerSecond));
        Number(ref writer, "deltatime"u8, age);
    }
}
