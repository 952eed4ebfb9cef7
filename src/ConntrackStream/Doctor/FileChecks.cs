using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>Where the service would write.</summary>
internal static class FileChecks
{
    internal static IEnumerable<CheckResult> Run(ServiceOptions options)
    {
        if (OwnedDirectory.ProblemOfState(options.State.Directory) is { } problem)
            yield return CheckResult.Fail("state", problem, "or set State:Directory");
        else
            yield return DirectoryCheck.Writable("state", options.State.Directory, "make it, or set State:Directory", mayBeMade: true);
        if (options.Api.Enabled)
            yield return DirectoryCheck.Writable(
                "API socket",
                Path.GetDirectoryName(Path.GetFullPath(options.Api.Socket))!,
                "make it, or set Api:Socket or Api:Enabled=false",
                mayBeMade: true);
    }
}
