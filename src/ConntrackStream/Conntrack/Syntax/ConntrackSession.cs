using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What the lines of a loaded file share, as conntrack keeps it for the whole process.</summary>
internal sealed class ConntrackSession(string name, TextWriter error, string labelFile)
{
    private ConntrackLabels? _labels;
    private bool _triedLabels;

    /// <summary>As the program was called; for the help.</summary>
    internal string Name { get; } = name;

    internal TextWriter Error { get; } = error;

    /// <summary>Of all lines together.</summary>
    internal OutputTypes Output { get; set; }

    /// <summary>The last one that was named.</summary>
    internal ProtocolSyntax? Protocol { get; set; }

    /// <summary>The names of labels; null when they were not needed, or there is no file of them, which is said once.</summary>
    internal ConntrackLabels? Labels => _labels;

    internal void LoadLabels()
    {
        if (_triedLabels)
            return;
        _triedLabels = true;
        _labels = File.Exists(labelFile) ? ConntrackLabels.Load(labelFile) : null;
        if (_labels is null)
            Error.WriteLine("nfct_labelmap_new: No such file or directory");
    }
}
