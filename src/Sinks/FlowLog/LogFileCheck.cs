using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Would the service take <c>FlowLog:Path</c>? Asked without making or changing the file, beside a running service too.</summary>
internal static class LogFileCheck
{
    private const string Subject = "flow log";

    /// <param name="users">In the form of passwd(5).</param>
    internal static CheckResult Run(string path, string users = "/etc/passwd")
    {
        if (FileStat.TryRead(path, out FileStat file))
        {
            if (file.Type == FileType.Regular && PackagedUser.IsOwnerOf(file, users))
                return CheckResult.Ok(Subject, $"{path} belongs to {PackagedUser.Name}, as whom the packaged service runs");
            try
            {
                OpenedLogFile.Probe(path, FlowLogFileException.FlowLogPath);
            }
            catch (FlowLogFileException e)
            {
                return new CheckResult(CheckLevel.Fail, Subject, e.Message); // which says what to do
            }
        }

        // Where it would be made, and where it is renamed.
        return DirectoryCheck.Writable(
            Subject, Path.GetDirectoryName(Path.GetFullPath(path))!, "make it, or set FlowLog:Path", mayBeMade: false);
    }
}
