using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>Checks the logs of an archive, each on one processor.</summary>
/// <param name="onViolation">Called by one thread at a time.</param>
/// <param name="onProgress">Called with bytes of the files that have been read since the last call, from several threads.</param>
internal sealed class VerifyRun(Action<Violation> onViolation, Action<long>? onProgress = null)
{
    private readonly Lock _lock = new();

    /// <returns>In the order of the archive.</returns>
    internal IReadOnlyList<VerifyReport> Run(ArchiveSet archive, int processors, CancellationToken cancellation)
    {
        foreach (ArchiveFault fault in archive.Faults)
            onViolation(new Violation(fault.Path, 0, "file", $"it {fault.Problem}"));
        VerifyReport[] reports = new VerifyReport[archive.Logs.Count];
        ParallelOptions options = new() { MaxDegreeOfParallelism = processors, CancellationToken = cancellation };
        Parallel.For(0, reports.Length, options, log => reports[log] = Verify(archive.Logs[log], cancellation));
        return reports;
    }

    private VerifyReport Verify(ArchiveLog log, CancellationToken cancellation)
    {
        long violations = 0;
        LogVerifier verifier = new(log.Members.Min(static member => member.FirstTime) ?? long.MinValue / 2, Report);
        LineReader reader = new();
        foreach (ArchiveMember member in log.Members)
            Read(member, member == log.Members[^1], reader, verifier, Report, cancellation);
        verifier.Finish();
        return new VerifyReport(
            log.Name, log.Members.Count, verifier.Records, verifier.Flows, verifier.Open, verifier.Gaps, violations, verifier.IsFull);

        void Report(Violation violation)
        {
            violations++;
            lock (_lock)
                onViolation(violation);
        }
    }

    private void Read(
        ArchiveMember member, bool isLast, LineReader reader, LogVerifier verifier, Action<Violation> report,
        CancellationToken cancellation)
    {
        string path = member.File.Path;
        if (member.Head.Format == RecordFormat.Text)
        {
            report(new Violation(
                path, 0, "file", "it has the format text, whose records have no flow_id: only json and ecs can be verified"));
            return;
        }

        try
        {
            using ArchiveBytes source = member.File.Read();
            long before = 0;
            reader.Run(
                source, (line, number) => verifier.Check(path, number, line, member.Head.Format),
                () =>
                {
                    onProgress?.Invoke(source.Consumed - before);
                    before = source.Consumed;
                },
                cancellation);
            if (reader.IsTorn && !(isLast && member.File.Compression == Compression.None)) // else it is still being written
                report(new Violation(path, reader.Lines + 1, "record", "the file ends within a line"));
        }
        catch (Exception e) when (e is ArchiveDamageException or IOException)
        {
            report(new Violation(path, reader.Lines + 1, "file", $"the file {e.Message}"));
        }
    }
}
