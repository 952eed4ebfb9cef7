using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>A part of a log that one thread reads: a file, or a range of one that is not compressed.</summary>
/// <param name="Log">Index of the log.</param>
/// <param name="Number">Grows in the order of the log.</param>
/// <param name="Begin">In the content, where it is not compressed.</param>
internal sealed record WhoUnit(int Log, int Number, ArchiveMember Member, long Begin, long End)
{
    private const long RangeLength = 64 * 1024 * 1024;

    internal ArchiveFile File => Member.File;

    internal RecordFormat Format => Member.Head.Format;

    internal long Length => End - Begin;

    /// <summary>It is the last one of its file that is read: the file's latest time is in it.</summary>
    internal bool IsLast { get; init; }

    /// <summary>A time that the file shows behind this part, ns since the Unix epoch; null when the part reaches to the end.</summary>
    internal long? GoesOnAt { get; init; }

    internal ArchiveBytes Read() => File.Compression == Compression.None ? new PlainBytes(File.Handle, Begin, End) : File.Read();

    /// <summary>All that has to be read for a question, in order.</summary>
    internal static List<WhoUnit> Of(ArchiveSet archive, WhoQuestion question)
    {
        List<WhoUnit> units = [];
        long from = long.MinValue, to = long.MaxValue;
        if (question.Reach is { } reach)
        {
            from = question.From - reach - RecordOrder.Slack;
            to = question.To + reach + RecordOrder.Slack;
        }

        for (int log = 0; log < archive.Logs.Count; log++)
        {
            IReadOnlyList<ArchiveMember> members = archive.Logs[log].Members;
            for (int i = 0; i < members.Count; i++)
            {
                long? next = i + 1 < members.Count ? members[i + 1].FirstTime : null;
                if (members[i].FirstTime > to || next < from)
                    continue;
                Add(units, log, members[i], from, to);
            }
        }

        return units;
    }

    private static void Add(List<WhoUnit> units, int log, ArchiveMember member, long from, long to)
    {
        ArchiveFile file = member.File;
        if (file.Compression != Compression.None || member.Head.Format == RecordFormat.Text)
        {
            units.Add(new WhoUnit(log, units.Count, member, 0, file.Length) { IsLast = true });
            return;
        }

        long begin = 0, end = file.Length;
        if (from != long.MinValue)
        {
            begin = TimeSearch.Below(file.Handle, file.Length, from, out _);
            TimeSearch.Below(file.Handle, file.Length, to, out end);
        }

        while (begin < end)
        {
            long next = end - begin <= RangeLength * 3 / 2 ? end : TimeSearch.LineFrom(file.Handle, begin + RangeLength, end);
            units.Add(new WhoUnit(log, units.Count, member, begin, next)
            {
                GoesOnAt = end < file.Length ? to : null,
                IsLast = next == end,
            });
            begin = next;
        }
    }
}
