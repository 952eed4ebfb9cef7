using ConntrackStream.Pipeline.Files;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>Where the service would write.</summary>
internal static class FileChecks
{
    internal static IEnumerable<CheckResult> Run(ServiceOptions options)
    {
        if (!options.FlowLog.Enabled)
            yield return CheckResult.Warn("flow log", "disabled", "set FlowLog:Enabled=true to have one");
        else if (options.FlowLog.Path == "-")
            yield return CheckResult.Ok("flow log", "to standard output");
        else
            yield return Writable("flow log", Path.GetDirectoryName(Path.GetFullPath(options.FlowLog.Path))!, "make it, or set FlowLog:Path", mayBeMade: false);
        if (OwnedDirectory.ProblemOfState(options.State.Directory) is { } problem)
            yield return CheckResult.Fail("state", problem, "or set State:Directory");
        else
            yield return Writable("state", options.State.Directory, "make it, or set State:Directory", mayBeMade: true);
        if (options.Api.Enabled)
            yield return Writable("API socket", Path.GetDirectoryName(Path.GetFullPath(options.Api.Socket))!, "make it, or set Api:Socket or Api:Enabled=false", mayBeMade: true);
    }

    /// <summary>Tries it with a file, as a mode tells nothing about read-only mounts, quotas or sandboxes.</summary>
    internal static CheckResult Writable(string subject, string directory, string fix, bool mayBeMade)
    {
        string? existing = directory;
        while (mayBeMade && existing is not null && !Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing);
        if (existing is null || !Directory.Exists(existing))
            return CheckResult.Fail(subject, $"{directory} does not exist", fix);
        try
        {
            string probe = Path.Combine(existing, $".conntrack-stream-{Guid.NewGuid():N}");
            using FileStream file = new(probe, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Options = FileOptions.DeleteOnClose,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            return CheckResult.Ok(subject, existing == directory ? $"{directory} is writable" : $"{directory} can be made");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return CheckResult.Fail(subject, $"{existing} is not writable: {e.Message}", fix);
        }
    }
}
