/* Submits the page's one form. A field may be named "submit", so the method is taken from the prototype. */
"use strict";
HTMLFormElement.prototype.submit.call(document.forms[0]);
