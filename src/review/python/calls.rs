//! Calls that name something by a text, and those that register a tool.

use super::Tool;
use super::walk::{Use, Walk};
use tree_sitter::Node;

impl<'t> Walk<'_, 't> {
    /// Calls that name something by a text, and those that register a tool.
    pub(super) fn special(&mut self, called: &str, call: Node<'t>, scope: usize) {
        let Some(arguments) = call.child_by_field_name("arguments").filter(|list| list.kind() == "argument_list")
        else {
            return;
        };
        let mut cursor = arguments.walk();
        let arguments: Vec<Node<'t>> = arguments.named_children(&mut cursor).filter(|node| !node.is_extra()).collect();
        let positional = |at: usize| arguments.get(at).copied().filter(|node| node.kind() != "keyword_argument");
        let last = called.rsplit('.').next().unwrap_or_default();
        match last {
            "getattr" | "setattr" | "hasattr" | "delattr" => {
                let of = positional(0).map(|of| self.chain(of)).unwrap_or_default();
                let name = positional(1).and_then(|name| self.plain(name));
                let how = if matches!(last, "setattr" | "delattr") { Use::Store } else { Use::Value };
                match name {
                    Some(_) if last == "hasattr" => {}
                    Some(name) => self.count(scope, how, format!("{of}.{name}")),
                    None => self.count(scope, how, format!("{of}.(computed)")),
                }
            }
            "attrgetter" | "methodcaller" => {
                let name = positional(0).and_then(|name| self.plain(name));
                self.count(scope, Use::Value, format!("?.{}", name.unwrap_or_else(|| "(computed)".into())));
            }
            "import_module" | "__import__" => {
                let name = positional(0).and_then(|name| self.plain(name));
                self.count(scope, Use::Value, format!("import|{}", name.unwrap_or_else(|| "(computed)".into())));
            }
            "register" | "register_tool" => self.tool(&arguments, scope),
            _ => {}
        }
    }

    fn tool(&mut self, arguments: &[Node<'t>], scope: usize) {
        let mut tool = Tool { scope, ..Tool::default() };
        let mut handler = None;
        for (at, argument) in arguments.iter().enumerate() {
            let key = argument.child_by_field_name("name").filter(|_| argument.kind() == "keyword_argument");
            let value = argument.child_by_field_name("value").filter(|_| key.is_some()).unwrap_or(*argument);
            match (key.map(|key| self.text(key)), at) {
                (Some("name"), _) | (None, 0) => tool.name = self.plain(value).unwrap_or_default(),
                (Some("handler"), _) | (None, 3) => handler = Some(value),
                _ => {}
            }
        }
        let Some(handler) = handler else { return };
        let mut todo = vec![handler];
        while let Some(node) = todo.pop() {
            match node.kind() {
                "identifier" | "attribute" if node == handler => tool.handlers.push(self.chain(node)),
                "call" => tool.handlers.extend(node.child_by_field_name("function").map(|called| self.chain(called))),
                _ => todo
                    .extend((0..node.named_child_count()).filter_map(|at| node.named_child(u32::try_from(at).ok()?))),
            }
        }
        self.module.tools.push(tool);
    }

    /// The text of a plain string.
    fn plain(&self, node: Node<'t>) -> Option<String> {
        let mut cursor = node.walk();
        let mut parts = node.named_children(&mut cursor);
        let plain = node.kind() == "string" && parts.all(|part| part.kind() != "interpolation");
        let mut cursor = node.walk();
        let content = node.named_children(&mut cursor).filter(|part| part.kind() == "string_content");
        plain.then(|| content.map(|part| self.text(part)).collect())
    }
}
