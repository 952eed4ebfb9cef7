using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ConntrackStream.Service.Tests.Architecture.Planted.One;

namespace ConntrackStream.Service.Tests.Architecture;

/// <summary>Folders of a project depend on each other in one direction. A namespace is a folder.</summary>
public sealed class FolderCycleTests
{
    [Theory]
    [InlineData(typeof(EventTap.TapOptions), "ConntrackStream.EventTap")]
    [InlineData(typeof(Pipeline.FlowPipeline), "ConntrackStream.Pipeline")]
    [InlineData(typeof(Sinks.FlowLog.FlowLogSink), "ConntrackStream.Sinks")]
    [InlineData(typeof(Service.Hosting.StreamService), "ConntrackStream.Service")]
    public void No_folder_is_in_a_cycle(System.Type any, string project) => Assert.Empty(FoldersInCycles(any.Assembly, project));

    [Fact]
    public void A_planted_cycle_is_found() => Assert.Equal(
        ["One -> Two", "Two -> One"],
        FoldersInCycles(typeof(First).Assembly, "ConntrackStream.Service.Tests.Architecture.Planted"),
        StringComparer.Ordinal);

    private static IEnumerable<string> FoldersInCycles(System.Reflection.Assembly assembly, string project)
    {
        Dictionary<string, HashSet<string>> uses = [];
        foreach (IType type in new ArchLoader().LoadAssembly(assembly).Build().Types.Where(type => IsOf(project, type)))
        {
            IEnumerable<IType> targets = type.Dependencies.Select(static dependency => dependency.Target);
            foreach (IType target in targets.Where(target => IsOf(project, target)))
                Add(Folder(project, type), Folder(project, target));
        }

        return uses.Where(folder => Reaches(folder.Key, folder.Key, []))
            .Select(folder => $"{folder.Key} -> {string.Join(", ", BackFrom(folder.Key, folder.Value).Order(StringComparer.Ordinal))}")
            .Order(StringComparer.Ordinal);

        IEnumerable<string> BackFrom(string folder, HashSet<string> targets) => targets.Where(target => Reaches(target, folder, []));

        void Add(string from, string to)
        {
            if (!uses.TryGetValue(from, out HashSet<string>? targets))
                uses.Add(from, targets = []);
            if (from != to)
                targets.Add(to);
        }

        bool Reaches(string from, string to, HashSet<string> seen) =>
            uses.GetValueOrDefault(from, []).Any(next => next == to || (seen.Add(next) && Reaches(next, to, seen)));
    }

    // A type parameter is no type of its own, and TngTech.ArchUnitNET 0.13.5 may attribute it to another class
    // whose method has the same signature.
    private static bool IsOf(string project, IType type) =>
        type is not GenericParameter
        && type.Namespace?.FullName is { } name && (name == project || name.StartsWith($"{project}.", StringComparison.Ordinal));

    private static string Folder(string project, IType type) => type.Namespace.FullName[project.Length..].TrimStart('.').Replace('.', '/');
}
