using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What the lines of a loaded file share, as conntrack keeps it for the whole process.</summary>
internal sealed class ConntrackSession(string name, TextWriter error, string labelFile)
{
    private ConntrackLabels? _labels;

    /// <summary>As the program was called; for the help.</summary>
    internal string Name { get; } = name;

    internal TextWriter Error { get; } = error;

    /// <summary>Of all lines together.</summary>
    internal OutputTypes Output { get; set; }

    /// <summary>The last one that was named.</summary>
    internal ProtocolSyntax? Protocol { get; set; }

    /// <summary>The names of labels; null when they were not needed, or there are none, which is said whenever they are.</summary>
    internal ConntrackLabels? Labels => _labels;

    internal void LoadLabels()
    {
        if (_labels is not null)
            return;
        string reason = "Success"; // what errno is after a file without a single name
        try
        {
            ConntrackLabels labels = ConntrackLabels.Load(labelFile);
            if (!labels.IsEmpty)
            {
                _labels = labels;
                return;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            reason = "No such file or directory";
        }
        catch (UnauthorizedAccessException) when (!Directory.Exists(labelFile))
        {
            reason = "Permission denied";
        }
        catch (UnauthorizedAccessException)
        {
            // A directory, which can be opened, and has no line.
        }

        Error.WriteLine($"nfct_labelmap_new: {reason}");
    }
}
