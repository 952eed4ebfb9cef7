using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

public static partial class ConntrackText
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private static ReadOnlySpan<byte> DayNames => "SunMonTueWedThuFriSat"u8;

    private static ReadOnlySpan<byte> MonthNames => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;

    private static void Prefix(ref Utf8Writer writer, in FlowEvent e, ConntrackTextOptions options)
    {
        if (e.Type == FlowEventType.Row)
            return;
        if (options.Timestamp)
        {
            writer.Byte((byte)'['); // [%-.8ld.%-.6ld] and a tab: at least eight and six digits
            ulong seconds = (ulong)(e.Time / NanosecondsPerSecond);
            if (seconds < 10_000_000)
                writer.Padded((uint)seconds, 8);
            else
                writer.Number(seconds);
            writer.Byte((byte)'.');
            writer.Padded((uint)(e.Time % NanosecondsPerSecond / 1_000), 6);
            writer.Literal("]\t"u8);
        }

        writer.Literal(EventName(e.Type));
    }

    /// <summary>What an event begins with; a row with nothing.</summary>
    internal static ReadOnlySpan<byte> EventName(FlowEventType type) => type switch
    {
        FlowEventType.New => "    [NEW] "u8,
        FlowEventType.Update => " [UPDATE] "u8,
        FlowEventType.Destroy => "[DESTROY] "u8,
        _ => default,
    };

    /// <summary>Age in whole seconds up to the stop, else up to the message; then the two times.</summary>
    private static void Times(ref Utf8Writer writer, in FlowEvent e, ConntrackTextOptions options)
    {
        ref readonly Flow flow = ref e.Flow;
        if (flow.Has(FlowFields.StartTime))
        {
            long until = flow.StopTime != 0 ? flow.StopTime : e.Time;
            Field(ref writer, "delta-time="u8, (ulong)((until / NanosecondsPerSecond) - (flow.StartTime / NanosecondsPerSecond)));
        }

        if (!options.KernelTimestamps || !flow.Has(FlowFields.StartTime))
            return;
        CalendarTime(ref writer, "[start="u8, flow.StartTime, options.TimeZone);
        if (flow.Has(FlowFields.StopTime))
            CalendarTime(ref writer, "[stop="u8, flow.StopTime, options.TimeZone);
    }

    /// <summary>The form of ctime(3): <c>Sat Nov 21 00:57:44 2026</c>, the day of the month padded with a blank.</summary>
    private static void CalendarTime(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, long time, TimeZoneInfo zone)
    {
        DateTime local = TimeZoneInfo.ConvertTimeFromUtc(DateTime.UnixEpoch.AddTicks(time / TimeSpan.NanosecondsPerTick), zone);
        writer.Literal(name);
        writer.Literal(DayNames.Slice((int)local.DayOfWeek * 3, 3));
        writer.Byte((byte)' ');
        writer.Literal(MonthNames.Slice((local.Month - 1) * 3, 3));
        writer.Literal(local.Day < 10 ? "  "u8 : " "u8);
        writer.Number((uint)local.Day);
        writer.Byte((byte)' ');
        writer.Padded((uint)local.Hour, 2);
        writer.Byte((byte)':');
        writer.Padded((uint)local.Minute, 2);
        writer.Byte((byte)':');
        writer.Padded((uint)local.Second, 2);
        writer.Byte((byte)' ');
        writer.Number((uint)local.Year);
        writer.Literal("] "u8);
    }
}
