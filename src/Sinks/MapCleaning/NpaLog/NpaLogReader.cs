using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>Streams the agent's log: cycles are kept, and deletes where they are asked for; everything else is counted.</summary>
/// <param name="keepDeletes">A flow log is to judge them.</param>
internal sealed class NpaLogReader(bool keepDeletes)
{
    private readonly NpaCycles _cycles = new();
    private readonly List<NpaDelete> _deletes = [];

    internal IReadOnlyList<NpaCycle> Cycles => _cycles.All;

    internal IReadOnlyList<NpaDelete> Deletes => _deletes;

    internal long Lines { get; private set; }

    /// <summary>Lines of the cleanup that were understood.</summary>
    internal long CleanupLines { get; private set; }

    /// <summary>Lines that could not be read, those of more than 64 KiB among them.</summary>
    internal long Malformed { get; private set; }

    /// <summary>Lines with both words in a form not known here.</summary>
    internal long Mentions { get; private set; }

    internal long Unrelated => Lines - CleanupLines - Malformed - Mentions;

    /// <param name="onLines">Called when all lines there were at a time have been taken.</param>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    internal async Task ReadAsync(Stream stream, CancellationToken cancellation, Action? onLines = null)
    {
        LineBuffer lines = new(stream);
        bool isOpen;
        do
        {
            isOpen = await lines.FillAsync(cancellation).ConfigureAwait(false);
            while (lines.TryTake(out ReadOnlySpan<byte> line, out bool tooLong))
                Take(tooLong ? new NpaLine(NpaLineKind.Malformed) : NpaLineParser.Parse(line));
            onLines?.Invoke();
        }
        while (isOpen);
    }

    private void Take(in NpaLine line)
    {
        Lines++;
        switch (line.Kind)
        {
            case NpaLineKind.Unrelated:
                return;
            case NpaLineKind.Malformed:
                Malformed++;
                return;
            case NpaLineKind.Mention:
                Mentions++;
                return;
        }

        CleanupLines++;
        _cycles.Add(line);
        if (keepDeletes && line.Kind == NpaLineKind.Delete)
            _deletes.Add(new NpaDelete(line.Time, line.Key));
    }
}
